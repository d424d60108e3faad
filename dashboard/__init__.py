"""What the merchant sees: pages, fragments, live feed, sign-in."""
