"""What all tests share. Each fixture lives in the module of the thing that it provides."""

pytest_plugins = [
    "tests.fixtures.logs",
    "tests.fixtures.postgres",
    "tests.fixtures.browser",
    "tests.fixtures.database",
    "tests.fixtures.busy",
    "tests.fixtures.shop",
    "tests.fixtures.desk",
    "tests.fixtures.wired",
    "tests.fixtures.dashboard",
    "tests.fixtures.furniture",
]
