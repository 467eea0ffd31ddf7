"""What makes the course's site and its slides: `tools/build_site.py` and `tools/build_slides.py` call it."""
