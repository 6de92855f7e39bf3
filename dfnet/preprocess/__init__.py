"""From two unaligned photos to aligned guide, disparity, occlusion and defocus on W's grid."""

from dfnet.preprocess.captures import preprocess_capture, true_preprocessing
from dfnet.preprocess.pipeline import Preprocessor, preprocess_pair
from dfnet.preprocess.result import Preprocessed

__all__ = [
    "Preprocessed",
    "Preprocessor",
    "preprocess_capture",
    "preprocess_pair",
    "true_preprocessing",
]
