"""From two unaligned photos to aligned guide, disparity, occlusion and defocus on W's grid."""
