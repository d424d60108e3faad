"""``python -m statemachine picture`` and ``page`` write the picture and the page to standard output."""

import sys

from statemachine.page import markdown
from statemachine.picture import document

if __name__ == "__main__":
    sys.stdout.write({"picture": document, "page": markdown}[sys.argv[1]]())
