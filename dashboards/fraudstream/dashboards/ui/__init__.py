"""The parts that all pages share: panels, figures, formats, colours and words."""
