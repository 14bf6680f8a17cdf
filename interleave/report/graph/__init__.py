"""The state graph of a model as a picture (`graph_dot`) or as data (`graph_document`)."""

from interleave.report.graph.document import graph_document
from interleave.report.graph.files import check_suffix, write_graph
from interleave.report.graph.picture import graph_dot

__all__ = ["check_suffix", "graph_document", "graph_dot", "write_graph"]
