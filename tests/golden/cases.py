"""All golden cases, by family; a family is one golden file."""

import cases_activations
import cases_attention
import cases_bidirectional
import cases_callbacks
import cases_cells
import cases_configs
import cases_conv
import cases_data
import cases_facts
import cases_file_training
import cases_files
import cases_files_got
import cases_fit
import cases_graphs
import cases_initializers
import cases_keras2
import cases_layers
import cases_loss_grids
import cases_losses
import cases_losses_refused
import cases_mask_values
import cases_masks
import cases_metrics
import cases_metrics_used
import cases_model_api
import cases_models
import cases_names
import cases_norm
import cases_ops
import cases_ops_facts
import cases_optimizers
import cases_own_optimizers
import cases_ported
import cases_recurrent
import cases_refused
import cases_saving
import cases_schedules
import cases_shapes
import cases_special
import cases_states
import cases_subclasses
import cases_text
import cases_training

FAMILIES = {
    "layers": cases_layers.CASES,
    "attention": cases_attention.CASES,
    "conv": cases_conv.CASES,
    "conv_masks": cases_conv.MASKED,
    "norm": cases_norm.CASES,
    "ops": [*cases_ops.CASES, *cases_ops_facts.CASES],
    "recurrent": cases_recurrent.CASES,
    "cells": cases_cells.CASES,
    "states": cases_states.CASES,
    "masks": cases_masks.CASES,
    "mask_values": cases_mask_values.CASES,
    "bidirectional": cases_bidirectional.CASES,
    "models": cases_models.CASES,
    "losses": [*cases_losses.CASES, *cases_loss_grids.CASES, *cases_losses_refused.CASES],
    "training": cases_training.CASES,
    "optimizers": cases_optimizers.CASES,
    "own_optimizers": cases_own_optimizers.CASES,
    "activations": cases_activations.CASES,
    "metrics": [*cases_metrics.CASES, *cases_metrics_used.CASES],
    "fit": [*cases_fit.CASES, *cases_data.ON_TENSORFLOW],
    "data": cases_data.CASES,
    "callbacks": cases_callbacks.CASES,
    "configs": cases_configs.CASES,
    "facts": cases_facts.CASES,
    "files_got": cases_files_got.CASES,
    "files": [*cases_files.CASES, *cases_file_training.CASES],
    "saving": cases_saving.CASES,
    "graphs": cases_graphs.CASES,
    "model_api": cases_model_api.CASES,
    "names": cases_names.CASES,
    "subclasses": cases_subclasses.CASES,
    "initializers": cases_initializers.CASES,
    "refused": cases_refused.CASES,
    "text": cases_text.CASES,
    "schedules": cases_schedules.CASES,
    "shapes": cases_shapes.CASES,
    "special": cases_special.CASES,
    "ported": cases_ported.CASES,
    "keras2": cases_keras2.CASES,
}
