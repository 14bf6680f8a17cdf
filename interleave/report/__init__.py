"""Reports: text, counterexample diagrams, state graphs, JSON."""
