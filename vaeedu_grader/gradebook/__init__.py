"""A class: its roster, outcomes and marks, kept by nbgrader in one folder."""
