"""The network: two refinement paths, a fusion, a blend; and a peer that sees one photo only."""

from dfnet.model.dfnet import DFNet, DFNetOutput
from dfnet.model.single_image import SingleImageNet

__all__ = ["DFNet", "DFNetOutput", "SingleImageNet"]
