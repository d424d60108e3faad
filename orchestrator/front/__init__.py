"""What stands before every room: who calls, how fast, how much, and what every answer carries."""
