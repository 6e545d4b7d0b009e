"""The two-encoder VAE: appearance and landmarks in, the face with those landmarks out."""

from instructavatar.models.vae.two_encoder import Encoded, Gaussian, TwoEncoderVae

__all__ = ["Encoded", "Gaussian", "TwoEncoderVae"]
