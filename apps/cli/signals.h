// signals.h: Ctrl-C and a polite kill while training: the first asks to finish the step and keep the best model, the
// second ends the program at once.
#pragma once

namespace carousel::cli {

// From now on SIGINT and SIGTERM are noted. SIGPIPE and SIGXFSZ are ignored: a failed write says so itself.
void catch_stop_signals();
void ignore_write_signals();

// The signal that asked to stop; 0: none yet. The exit status is then 128 + the signal.
int stop_signal();

}  // namespace carousel::cli
