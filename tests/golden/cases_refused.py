"""What is refused: Keras's own errors, and what Keras has and seqrnn does not."""

from golden_kinds import RefusalCase

# Of images and of other frameworks.
LAYERS = """
AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
AugMix AutoContrast AveragePooling2D AveragePooling3D AvgPool2D AvgPool3D CenterCrop
ContrastLimitedAdaptiveHistogramEqualization Conv2D Conv2DTranspose Conv3D Conv3DTranspose
ConvLSTM2D ConvLSTM3D Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose
Cropping2D Cropping3D CutMix DepthwiseConv2D Equalization FlaxLayer GlobalAveragePooling2D
GlobalAveragePooling3D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool2D GlobalMaxPool3D
GlobalMaxPooling2D GlobalMaxPooling3D JaxLayer MaxNumBoundingBoxes MaxPool2D MaxPool3D
MaxPooling2D MaxPooling3D MelSpectrogram MixUp Pipeline RandAugment RandomBrightness
RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
RandomShear RandomTranslation RandomZoom Resizing STFTSpectrogram SeparableConv2D
SeparableConvolution2D Solarization SpatialDropout2D SpatialDropout3D TFSMLayer
TorchModuleWrapper UpSampling2D UpSampling3D ZeroPadding2D ZeroPadding3D
"""
MODULES = "applications distribution export quantizers visualization wrappers"

ABSENT = [
    RefusalCase(
        f"layer_{name}", lambda k, n=name: getattr(k.layers, n), [name], raises=AttributeError
    )
    for name in LAYERS.split()
] + [
    RefusalCase(f"module_{name}", lambda k, n=name: getattr(k, n), [name], raises=AttributeError)
    for name in MODULES.split()
]

CASES = [
    *ABSENT,
    RefusalCase("dense_units", lambda k: k.layers.Dense(-3), ["Dense", "units", "-3"]),
    RefusalCase(
        "gru_2d",
        lambda k: k.Sequential([k.Input((4,)), k.layers.GRU(3, name="reader")]),
        ["reader", "3", "(None, 4)"],
    ),
    RefusalCase(
        "pad_value_of_reflect",
        lambda k: k.ops.pad(k.ops.zeros((3,)), 1, mode="reflect", constant_values=2.0),
        ["constant_values", "reflect"],
    ),
    RefusalCase(
        "dense_lora",
        lambda k: k.layers.Dense(3, lora_rank=4),
        ["Dense", "lora_rank"],
        raises=ValueError,
        lacking=True,
    ),
    RefusalCase(
        "typo",
        lambda k: k.layers.GRU(3, return_sequence=True),
        ["GRU", "return_sequence'", "return_sequences"],
    ),
    RefusalCase("unknown_loss", lambda k: k.losses.get("mee"), ["mee"]),
]
