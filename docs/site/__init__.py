"""What Sphinx needs beside its own extensions to build the documentation: `make docs`. docs/writing-docs.md says how pages are written."""
