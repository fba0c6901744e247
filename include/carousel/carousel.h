// carousel.h: everything; where a reader starts.
//
// Carousel trains and runs recurrent sequence models. The words and letters of all its headers:
//
//   T time steps   N samples in the batch   C input size   H hidden size   G gates   L layers   D directions (1 or 2)
//
// - Sequences are time-major: values [T, N, C], token ids [T, N]. Batch-first data [N, T, C] is turned round by
//   transpose_time_and_batch(); nothing guesses. Samples of different length are padded and their true lengths given.
// - A cell is one step, a scan runs it over T steps, a stack feeds scans into scans. `carousel cells` lists the cells.
// - The state (h, or h and c) is a value of the caller. Networks and models keep nothing between calls.
// - Parameters have PyTorch's names, shapes and gate order.
// - Every failure is an Error with a code and a message; nothing prints or exits.
// - The same seed gives the same bits for any number of threads. An object belongs to one thread at a time; the Streams
//   made from one model are objects of their own and may run on as many threads.
#pragma once

#include "carousel/attention.h"
#include "carousel/autograd.h"
#include "carousel/convolution.h"
#include "carousel/error.h"
#include "carousel/graph.h"
#include "carousel/layers.h"
#include "carousel/loss.h"
#include "carousel/model.h"
#include "carousel/operations.h"
#include "carousel/optim.h"
#include "carousel/stream.h"
#include "carousel/stream_pool.h"
#include "carousel/tensor.h"
