"""Evidence for answers: relevance propagation, occlusion by face regions, gradients, and whether they can be believed.

Works on any network, crop and target that it is handed (`target.Target`, `target.View`); knows no other room.
"""
