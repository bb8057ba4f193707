"""Readers of files whose content nobody vouches for: declared shape in, typed values out."""
