"""One run of transformers + PEFT on torch's CPU kernels, as one JSON document; bench/tune/tune.mjs says what it is given.

    python peft_run.py '{"model": FOLDER, "adapter": FOLDER, "batches": FILE, "threads": 2, "dtype": "bfloat16",
        "attention": "sdpa", "checkpoints": false, "steps": 3, "learningRate": 0.0002}'

The first step is a warm-up: its loss is kept, its time is not.
"""

import json
import sys
import time

import peft
import torch
import transformers


def main(setup):
    torch.set_num_threads(setup["threads"])
    torch.manual_seed(0)
    with open(setup["batches"]) as file:
        batches = [torch.tensor(batch) for batch in json.load(file)]
    base = transformers.AutoModelForCausalLM.from_pretrained(
        setup["model"], dtype=getattr(torch, setup["dtype"]), attn_implementation=setup["attention"]
    )
    base.config.use_cache = False
    if setup["checkpoints"]:
        base.gradient_checkpointing_enable()
        base.enable_input_require_grads()
    # autocast_adapter_dtype: PEFT's default keeps the pairs in f32, beside a base in bf16
    model = peft.PeftModel.from_pretrained(
        base, setup["adapter"], is_trainable=True, autocast_adapter_dtype=setup.get("adapterF32", True)
    )
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=setup["learningRate"], weight_decay=0.0)
    losses, seconds = [], []
    for step in range(setup["steps"] + 1):
        ids = batches[step % len(batches)]
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step > 0:
            seconds.append(time.perf_counter() - begin)
    return {
        "losses": losses,
        "seconds": seconds,
        "peakRssBytes": peak_rss_bytes(),
        "trainedParameters": sum(parameter.numel() for parameter in trained),
        "version": f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}",
    }


def peak_rss_bytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


print(json.dumps(main(json.loads(sys.argv[1]))))
