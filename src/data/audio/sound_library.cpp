#include "data/audio/sound_library.h"

#include <dlfcn.h>

#include "base/fail.h"

namespace carousel {

SoundLibrary::SoundLibrary(const char* name) {
  void* const library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    fail(Code::kUsage, "recordings are read by {}, which cannot be loaded: {}; install libsndfile1", name, ::dlerror());
  }
  const auto find = [&]<class F>(F*& function, const char* symbol) {
    function = reinterpret_cast<F*>(::dlsym(library, symbol));
    if (function == nullptr) fail(Code::kUsage, "{} has no {}: expected libsndfile 1.0 or newer", name, symbol);
  };
  find(open_virtual, "sf_open_virtual");
  find(readf_float, "sf_readf_float");
  find(error, "sf_error");
  find(strerror, "sf_strerror");
  find(close, "sf_close");
}

const SoundLibrary& sound_library() {
  static const SoundLibrary library;
  return library;
}

}  // namespace carousel
