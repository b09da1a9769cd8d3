"""Names of quantities, and the sentences of pictures, texts and pages in two languages; no mathematics."""
