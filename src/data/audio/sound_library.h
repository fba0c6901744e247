// sound_library.h: libsndfile, loaded when the first recording is read. It needs seven libraries of codecs, which would
// cost every start of the program a millisecond.
#pragma once

#include <sndfile.h>

namespace carousel {

inline constexpr const char* kSoundLibrary = "libsndfile.so.1";

// The functions of libsndfile that are used, under its own names.
struct SoundLibrary {
  // Throws Error{kUsage} if there is no shared library `name` or a function is not in it.
  explicit SoundLibrary(const char* name = kSoundLibrary);

  decltype(&::sf_open_virtual) open_virtual;
  decltype(&::sf_readf_float) readf_float;
  decltype(&::sf_error) error;
  decltype(&::sf_strerror) strerror;
  decltype(&::sf_close) close;
};

// The one of the process; stays loaded.
const SoundLibrary& sound_library();

}  // namespace carousel
