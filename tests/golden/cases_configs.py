"""Configs: what `get_config` gives, and what `from_config` reads.

A row is a name and an expression of Keras's API; rows of what is still to come belong here too.
"""

from golden_kinds import ConfigCase

# What some of Keras's configs forget.
FORGOTTEN = {
    "SimpleRNN_options": ["seed"],
    "loss_huber": ["delta"],
    "loss_CosineSimilarity": ["axis"],
    "loss_sparse": ["axis"],
    "metric_CosineSimilarity": ["axis"],
    "initializer_identity": ["gain"],
}


def _case(name, build):
    return ConfigCase(name, build, more=FORGOTTEN.get(name, ()))


def _rows(prefix, **builds):
    return [_case(f"{prefix}_{name}", build) for name, build in builds.items()]


LAYERS = _rows(
    "layer",
    dense=lambda k: k.layers.Dense(3),
    dense_options=lambda k: k.layers.Dense(
        3,
        activation="tanh",
        use_bias=False,
        kernel_initializer=k.initializers.HeNormal(seed=3),
        kernel_regularizer="l2",
        bias_regularizer=k.regularizers.L1(0.2),
        activity_regularizer="l1",
        kernel_constraint=k.constraints.MaxNorm(3),
        bias_constraint="non_neg",
        name="last",
        trainable=False,
    ),
    dense_float64=lambda k: k.layers.Dense(3, dtype="float64"),
    embedding=lambda k: k.layers.Embedding(5, 3),
    embedding_mask=lambda k: k.layers.Embedding(5, 3, mask_zero=True),
    activation=lambda k: k.layers.Activation("relu"),
    dropout=lambda k: k.layers.Dropout(0.3, seed=4),
    dropout_noise_shape=lambda k: k.layers.Dropout(0.3, noise_shape=(None, 1, 3)),
    spatial_dropout=lambda k: k.layers.SpatialDropout1D(0.3, seed=4),
    gaussian_dropout=lambda k: k.layers.GaussianDropout(0.3, seed=4),
    gaussian_noise=lambda k: k.layers.GaussianNoise(0.3, seed=4),
    activity=lambda k: k.layers.ActivityRegularization(l1=0.1, l2=0.2),
    flatten=lambda k: k.layers.Flatten(),
    reshape=lambda k: k.layers.Reshape((2, -1)),
    permute=lambda k: k.layers.Permute((2, 1)),
    repeat=lambda k: k.layers.RepeatVector(3),
    masking=lambda k: k.layers.Masking(mask_value=-1.0),
    identity=lambda k: k.layers.Identity(),
    relu=lambda k: k.layers.ReLU(max_value=6, negative_slope=0.1, threshold=0.2),
    leaky_relu=lambda k: k.layers.LeakyReLU(negative_slope=0.1),
    elu=lambda k: k.layers.ELU(alpha=0.5),
    prelu=lambda k: k.layers.PReLU(shared_axes=[1]),
    softmax=lambda k: k.layers.Softmax(axis=1),
    conv=lambda k: k.layers.Conv1D(3, 2),
    conv_options=lambda k: k.layers.Conv1D(
        4, 3, strides=2, padding="causal", groups=2, activation="relu", use_bias=False
    ),
    conv_dilated=lambda k: k.layers.Conv1D(4, 3, padding="same", dilation_rate=2),
    max_pooling=lambda k: k.layers.MaxPooling1D(3, strides=2, padding="same"),
    average_pooling=lambda k: k.layers.AveragePooling1D(2),
    global_max=lambda k: k.layers.GlobalMaxPooling1D(keepdims=True),
    global_average=lambda k: k.layers.GlobalAveragePooling1D(),
    up_sampling=lambda k: k.layers.UpSampling1D(3),
    zero_padding=lambda k: k.layers.ZeroPadding1D((1, 2)),
    cropping=lambda k: k.layers.Cropping1D((1, 2)),
    batch_norm=lambda k: k.layers.BatchNormalization(),
    batch_norm_options=lambda k: k.layers.BatchNormalization(
        axis=1, momentum=0.8, epsilon=0.1, center=False, gamma_regularizer="l2"
    ),
    layer_norm=lambda k: k.layers.LayerNormalization(epsilon=0.1, scale=False),
    normalization=lambda k: k.layers.Normalization(axis=-1, mean=1.0, variance=4.0),
    normalization_to_adapt=lambda k: k.layers.Normalization(invert=True),
    add=lambda k: k.layers.Add(),
    subtract=lambda k: k.layers.Subtract(),
    multiply=lambda k: k.layers.Multiply(),
    average=lambda k: k.layers.Average(),
    maximum=lambda k: k.layers.Maximum(),
    minimum=lambda k: k.layers.Minimum(),
    concatenate=lambda k: k.layers.Concatenate(axis=1),
    dot=lambda k: k.layers.Dot(axes=(1, 2), normalize=True),
    input=lambda k: k.layers.InputLayer(shape=(None, 3), name="series"),
)

RECURRENT_OPTIONS = {
    "activation": "relu",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "recurrent_regularizer": "l2",
    "dropout": 0.1,
    "recurrent_dropout": 0.2,
    "seed": 3,
}
LAYER_OPTIONS = {
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "zero_output_for_mask": True,
}

RECURRENT = [
    _case(f"{name}_{kind}", lambda k, n=name, o=options: getattr(k.layers, n)(3, **o))
    for name in ("SimpleRNN", "LSTM", "GRU")
    for kind, options in {
        "plain": {},
        "options": RECURRENT_OPTIONS,
        "layer_options": LAYER_OPTIONS,
    }.items()
] + [
    _case(f"{name}_{kind}", lambda k, n=name, o=options: getattr(k.layers, n)(3, **o))
    for name in ("SimpleRNNCell", "LSTMCell", "GRUCell")
    for kind, options in {"plain": {}, "options": RECURRENT_OPTIONS}.items()
]

COMPOSED = _rows(
    "layer",
    lstm_forget=lambda k: k.layers.LSTM(3, unit_forget_bias=False),
    gru_reset_before=lambda k: k.layers.GRU(3, reset_after=False),
    rnn=lambda k: k.layers.RNN(k.layers.LSTMCell(3), return_sequences=True),
    rnn_stacked=lambda k: k.layers.RNN([k.layers.GRUCell(3), k.layers.GRUCell(2)]),
    stacked_cells=lambda k: k.layers.StackedRNNCells(
        [k.layers.SimpleRNNCell(3), k.layers.LSTMCell(2)]
    ),
    time_distributed=lambda k: k.layers.TimeDistributed(k.layers.Dense(3)),
)

LOSSES = [
    _case(f"loss_{name}", lambda k, n=name: getattr(k.losses, n)())
    for name in (
        "MeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "LogCosh",
        "KLDivergence",
        "Poisson",
        "CosineSimilarity",
        "Hinge",
        "SquaredHinge",
        "CategoricalHinge",
        "CTC",
    )
] + _rows(
    "loss",
    focal=lambda k: k.losses.BinaryFocalCrossentropy(True, alpha=0.3, gamma=1.5, axis=-1),
    categorical_focal=lambda k: k.losses.CategoricalFocalCrossentropy(0.3, label_smoothing=0.1),
    dice=lambda k: k.losses.Dice(axis=1, name="overlap"),
    tversky=lambda k: k.losses.Tversky(alpha=0.3, beta=0.7, reduction="sum"),
    circle=lambda k: k.losses.Circle(gamma=64.0, margin=0.3, remove_diagonal=False),
    generalized=lambda k: k.losses.CategoricalGeneralizedCrossEntropy(q=0.7),
    named=lambda k: k.losses.MeanSquaredError(reduction="sum", name="error"),
    huber=lambda k: k.losses.Huber(delta=0.5),
    binary=lambda k: k.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    categorical=lambda k: k.losses.CategoricalCrossentropy(label_smoothing=0.1, axis=1),
    sparse=lambda k: k.losses.SparseCategoricalCrossentropy(ignore_class=0),
)

METRICS = [
    _case(f"metric_{name}", lambda k, n=name: getattr(k.metrics, n)())
    for name in (
        "MeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "RootMeanSquaredError",
        "LogCoshError",
        "KLDivergence",
        "Poisson",
        "CosineSimilarity",
        "Hinge",
        "SquaredHinge",
        "CategoricalHinge",
        "Accuracy",
        "CategoricalAccuracy",
        "SparseCategoricalAccuracy",
        "Mean",
        "Sum",
        "Precision",
        "Recall",
        "AUC",
        "F1Score",
        "FBetaScore",
        "R2Score",
        "BinaryIoU",
        "TruePositives",
        "FalsePositives",
        "TrueNegatives",
        "FalseNegatives",
        "PearsonCorrelation",
        "ConcordanceCorrelation",
    )
] + _rows(
    "metric",
    sorted_ids=lambda k: k.metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True),
    precision_options=lambda k: k.metrics.Precision(top_k=2, class_id=1),
    counts=lambda k: k.metrics.FalsePositives(thresholds=[0.3, 0.6], name="false"),
    auc=lambda k: k.metrics.AUC(10, curve="PR", summation_method="majoring", from_logits=True),
    auc_labels=lambda k: k.metrics.AUC(multi_label=True, num_labels=3),
    auc_thresholds=lambda k: k.metrics.AUC(thresholds=[0.6, 0.2]),
    sensitivity=lambda k: k.metrics.SensitivityAtSpecificity(0.3, num_thresholds=5),
    specificity=lambda k: k.metrics.SpecificityAtSensitivity(0.3, class_id=1),
    precision_at=lambda k: k.metrics.PrecisionAtRecall(0.3),
    recall_at=lambda k: k.metrics.RecallAtPrecision(0.3),
    f1=lambda k: k.metrics.F1Score(average="macro", threshold=0.4),
    f_beta=lambda k: k.metrics.FBetaScore(average="weighted", beta=2.0),
    r2=lambda k: k.metrics.R2Score(class_aggregation=None, num_regressors=2),
    iou=lambda k: k.metrics.IoU(3, [0, 2], ignore_class=1, sparse_y_true=False),
    mean_iou=lambda k: k.metrics.MeanIoU(3, name="overlap"),
    one_hot_iou=lambda k: k.metrics.OneHotIoU(3, [1], sparse_y_pred=True),
    one_hot_mean_iou=lambda k: k.metrics.OneHotMeanIoU(3, axis=1),
    named=lambda k: k.metrics.MeanSquaredError(name="error"),
    binary_accuracy=lambda k: k.metrics.BinaryAccuracy(threshold=0.3),
    top_k=lambda k: k.metrics.TopKCategoricalAccuracy(k=2),
    sparse_top_k=lambda k: k.metrics.SparseTopKCategoricalAccuracy(k=2),
    binary=lambda k: k.metrics.BinaryCrossentropy(from_logits=True),
    categorical=lambda k: k.metrics.CategoricalCrossentropy(label_smoothing=0.1),
    sparse=lambda k: k.metrics.SparseCategoricalCrossentropy(from_logits=True),
    precision=lambda k: k.metrics.Precision(thresholds=[0.3, 0.6]),
    recall=lambda k: k.metrics.Recall(thresholds=0.4),
)

OPTIMIZERS = _rows(
    "optimizer",
    sgd=lambda k: k.optimizers.SGD(),
    sgd_momentum=lambda k: k.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    adam=lambda k: k.optimizers.Adam(),
    adam_options=lambda k: k.optimizers.Adam(0.01, beta_1=0.8, amsgrad=True, clipnorm=1.0),
    adam_schedule=lambda k: k.optimizers.Adam(k.optimizers.schedules.CosineDecay(0.1, 100)),
    adamw=lambda k: k.optimizers.AdamW(weight_decay=0.01),
    nadam=lambda k: k.optimizers.Nadam(global_clipnorm=2.0),
    rmsprop=lambda k: k.optimizers.RMSprop(rho=0.8, momentum=0.5, centered=True, clipvalue=0.5),
)

REST = (
    _rows(
        "regularizer",
        l1=lambda k: k.regularizers.L1(0.1),
        l2=lambda k: k.regularizers.L2(0.1),
        l1_l2=lambda k: k.regularizers.L1L2(0.1, 0.2),
        orthogonal=lambda k: k.regularizers.OrthogonalRegularizer(0.1, mode="columns"),
    )
    + _rows(
        "constraint",
        max_norm=lambda k: k.constraints.MaxNorm(3, axis=1),
        min_max_norm=lambda k: k.constraints.MinMaxNorm(0.5, 2, rate=0.5),
        non_neg=lambda k: k.constraints.NonNeg(),
        unit_norm=lambda k: k.constraints.UnitNorm(axis=[0, 1]),
    )
    + [
        _case(f"initializer_{name}", lambda k, n=name: getattr(k.initializers, n)(seed=3))
        for name in (
            "GlorotUniform",
            "GlorotNormal",
            "HeNormal",
            "HeUniform",
            "LecunNormal",
            "LecunUniform",
            "RandomNormal",
            "RandomUniform",
            "TruncatedNormal",
            "Orthogonal",
            "VarianceScaling",
        )
    ]
    + _rows(
        "initializer",
        zeros=lambda k: k.initializers.Zeros(),
        ones=lambda k: k.initializers.Ones(),
        constant=lambda k: k.initializers.Constant(0.3),
        identity=lambda k: k.initializers.Identity(gain=2.0),
        random_normal=lambda k: k.initializers.RandomNormal(0.1, 0.2),
        variance=lambda k: k.initializers.VarianceScaling(2.0, "fan_avg", "uniform"),
    )
)

CASES = [
    *LAYERS,
    *RECURRENT,
    *COMPOSED,
    *LOSSES,
    *METRICS,
    *OPTIMIZERS,
    *REST,
]
