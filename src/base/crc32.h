// crc32.h: the checksum of zlib, PNG and Ethernet (CRC-32/ISO-HDLC, polynomial 04c11db7 reflected).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace carousel {

// `before` is the checksum of the bytes that stand before these.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept;

}  // namespace carousel
