"""What people complained about elsewhere, and limits that the big table doesn't show.

Each script says which report it follows and prints our figures beside what is installed of the
peers: `python -m benchmarks.threads.denormals --peers /path/to/venv/bin/python`. All of them, and
then a table of all limits: `python -m benchmarks.threads --peers ...`.

    text_classifier     PyTorch 94457      training an LSTM on texts
    packed              PyTorch 149194     series of unequal lengths
    denormals           oneDNN 561         tiny values
    tiny_batch          oneDNN 837         one series at a time
    predict_overhead    TensorFlow 40261   many calls of predict, growing lengths, memory
    fork                PyTorch 123828     processes and threads after a fit

    footprint           import time, size of the wheel, memory, first step
    growth              cost in steps and rows, unrolled loops of 2,000 steps
    same_bits           1, 2, 3 and 8 threads, and a run that is resumed
    idle                what a process costs that waits after a fit
"""
