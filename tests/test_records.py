"""Results that others read from the book by their names: a chapter that is rewritten keeps them."""

from pathlib import Path

import nbformat
import pytest

from tests.comparison import records

CHAPTERS = Path(__file__).parents[1] / "chapters"
PROMISED = {
    "01": "tree_random_return tree_optimal_return best_of_3000_regret",
    "02": "bellman_contraction_slope_error random_policy_share_improved",
    "03": "q_learning_regret mc_regret q_learning_leaves_seen double_q_bias_ratio",
    "04": (
        "dyna_regret model_vs_free_sample_ratio model_vs_free_sample_ratio_low "
        "model_vs_free_sample_ratio_high memory_vs_free_sample_ratio "
        "simulation_lemma_violations mcts_regret_large_tree"
    ),
    "05": (
        "transformer_recall_at_64 lstm_recall_at_64 cached_decoding_max_error "
        "causal_leak_accuracy_gap recall_floor_8_notes rnn_gradient_decay"
    ),
    "06": (
        "gumbel_max_total_variation gumbel_bias_low_tau gumbel_variance_ratio_vs_reinforce "
        "gumbel_tree_regret reinforce_tree_regret gumbel_best_tau gumbel_bias_at_best_tau "
        "gumbel_network_regret vae_elbo_gap"
    ),
    "07": "bc_loss_gap_to_counts",
    "08": (
        "dt_tree_regret dt_shortest_path_optimal_share ktd_random ktd_bc_10k ktd_top_bc_10k "
        "ktd_dt_10k ktd_q_with_key stitching_dp_regret"
    ),
    "09": (
        "lm_seed_sentence_correct lm_heldout_exact_match lm_instruction_switch_accuracy "
        "lm_bits_over_entropy"
    ),
    "10": ("optimal_lap_time human_lap_time bc_lap_time rl_lap_time "),
    "11": ("rlhf_kl_to_closed_form dpo_kl_to_closed_form reward_model_accuracy"),
}


@pytest.mark.parametrize("chapter", PROMISED)
def test_a_chapter_records_what_others_read(chapter: str) -> None:
    (path,) = CHAPTERS.glob(f"{chapter}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    found = {name for cell in cells for name in records(cell.get("outputs", []))}
    assert set(PROMISED[chapter].split()) <= found
