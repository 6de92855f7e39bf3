"""The network: two refinement paths, a fusion, a blend."""

from dfnet.model.dfnet import DFNet, DFNetOutput

__all__ = ["DFNet", "DFNetOutput"]
