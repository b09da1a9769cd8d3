"""Names of quantities, typesetting of texts, and the phrases of pictures and pages in two languages; no mathematics."""
