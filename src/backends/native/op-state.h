// What the operations other than matmul keep from call to call, so that a step allocates nothing.
#pragma once

#include <vector>

#include "kernels/backward-args.h"
#include "kernels/op-args.h"
#include "memory.h"
#include "rope-tables.h"

namespace gemma {

struct LossState {  // crossEntropy
  Scratch floors, target_logits, starts, parts, unpacked;
  Scratch kept{Memory::Kind::lazy}, places{Memory::Kind::lazy};  // few logits are
};

struct LoraState {  // loraDeltaBackward
  Scratch turned, inner, outer, da_parts, db_parts;
};

struct OpState {
  RopeTables rope;
  std::vector<AttentionBlock> attention_blocks, attention_segments;
  std::vector<AttentionMerge> attention_merges;
  Scratch attention_parts, attention_states;
  std::vector<AttentionSpan> attention_spans;  // attentionBackward
  Scratch attention_scores;                    // attentionBackward
  Scratch lora_ranks;
  LoraState lora;
  Scratch factors, squares;  // rmsNormBackward, sumSquares
  Scratch maxima, sums;      // of blocks of logits
  std::vector<LogitRow> logit_rows;
  Scratch best;                              // chooseIds, scoreIds
  Scratch normalisers;                       // scoreIds, crossEntropy
  Scratch logits;                            // chooseIds
  std::vector<float*> kept_logits;           // chooseIds
  Scratch screen_groups, estimates, slacks;  // a screened head
  LossState loss;
};

}  // namespace gemma
