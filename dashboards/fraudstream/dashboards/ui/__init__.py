"""What every page is made of: panels, figures, formats, colours and words."""
