"""Names of quantities, how texts are set, and the sentences of pictures and pages in two languages; no mathematics."""
