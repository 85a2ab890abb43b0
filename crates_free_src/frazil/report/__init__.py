"""One page about a model: a single HTML file that opens in any browser, offline."""
