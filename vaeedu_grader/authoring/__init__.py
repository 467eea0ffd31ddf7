"""Describing exercises, and making from them what students receive."""
