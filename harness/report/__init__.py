"""Reports as text: documents, tables and lines."""
