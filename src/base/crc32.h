// crc32.h: the checksum of zlib, PNG and Ethernet (CRC-32/ISO-HDLC, polynomial 04c11db7 reflected).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace carousel {

std::uint32_t crc32(std::span<const std::byte> bytes) noexcept;

}  // namespace carousel
