"""What orgmon costs, measured: ``python -m benchmarks`` prints a table and writes ``results.json`` beside this file."""
