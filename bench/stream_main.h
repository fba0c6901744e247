// stream_main.h: the command line of the benchmarks of streams, C H [DTYPE], and the network that it names.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "carousel/error.h"
#include "carousel/layers.h"

namespace carousel::bench {

struct StreamSizes {
  std::int64_t input_size = 0, hidden_size = 0;
  std::string dtype = "f32";
};

// A whole number of at least 1, and nothing behind it.
inline bool read_size(const char* text, std::int64_t& size) {
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, size);
  return error == std::errc() && stop == end && size >= 1;
}

// Calls run(network, sizes) with an LSTM and a Linear layer to one value, freshly initialised. Returns the exit code:
// 2, with a line on the standard error, for sizes that cannot be read and for what the library refuses.
template <class Run>
int stream_main(int argc, char** argv, Run run) {
  StreamSizes sizes;
  if (argc < 3 || argc > 4 || !read_size(argv[1], sizes.input_size) || !read_size(argv[2], sizes.hidden_size)) {
    std::fprintf(stderr, "usage: %s C H [f32|bf16|int8]      C, H: whole numbers from 1\n", argv[0]);
    return 2;
  }
  if (argc == 4) sizes.dtype = argv[3];
  try {
    Sequential network{Recurrent{{.cell = "lstm", .input_size = sizes.input_size, .hidden_size = sizes.hidden_size}},
                       Linear{sizes.hidden_size, 1}};
    run(network, sizes);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
  return 0;
}

}  // namespace carousel::bench
