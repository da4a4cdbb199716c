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
    "07": "bc_loss_gap_to_counts dagger_exponent",
    "08": (
        "dt_tree_regret dt_shortest_path_optimal_share ktd_random ktd_bc_10k ktd_top_bc_10k "
        "ktd_dt_10k ktd_q_with_key ktd_paper_dt_1k ktd_paper_dt_10k ktd_limit_observation "
        "dt_loss_over_floor q_shortest_path_optimal_share stitching_dp_regret "
        "stitching_short_context_regret"
    ),
    "09": (
        "lm_seed_sentence_correct lm_heldout_exact_match lm_instruction_switch_accuracy "
        "lm_bits_over_entropy lm_reversal_forward lm_reversal_backward lm_scaling_exponent"
    ),
    "10": ("optimal_lap_time human_lap_time bc_lap_time rl_lap_time clone_crashes_counting"),
    "11": (
        "rlhf_kl_to_closed_form dpo_kl_to_closed_form reward_model_accuracy "
        "best_of_n_kl_bound_violations dpo_text_right_heldout rlhf_text_right_heldout "
        "reward_model_accuracy_on_clone preferences_needed_for_half_regret"
    ),
    "12": (
        "prompted_transformer_regret prompted_transformer_optimal_share prompted_lstm_regret "
        "prompted_greedy_regret large_tree_best_logged_regret "
        "large_tree_dt_best_of_2000_regret"
    ),
    "A": ("lqr_optimal_cost lqr_dt_regret lqr_bc_regret lqr_model_based_regret pendulum_dt_regret"),
    "B": (
        "ddp_loss_difference ddp_lost_steps_after_kill mapped_peak_over_dataset cost_model_error"
    ),
}


@pytest.mark.parametrize("chapter", PROMISED)
def test_a_chapter_records_what_others_read(chapter: str) -> None:
    (path,) = CHAPTERS.glob(f"{chapter}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    found = {name for cell in cells for name in records(cell.get("outputs", []))}
    assert set(PROMISED[chapter].split()) <= found
