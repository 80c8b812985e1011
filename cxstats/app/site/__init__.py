"""The site: notebooks, audit, glossary, reference and figures as pages, in both languages."""
