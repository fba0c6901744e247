// base64.h: bytes as text (RFC 4648, section 4): how JSON keeps what is no UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace carousel {

std::string base64_encode(std::string_view bytes);

// Throws Error{kData} that names the place if `text` is not what base64_encode() gives.
std::string base64_decode(std::string_view text);

}  // namespace carousel
