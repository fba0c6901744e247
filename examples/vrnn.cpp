// vrnn.cpp: a variational recurrent network (Chung et al. 2015) learns to write chorales. docs/generative.md says what
// it reaches.
//
//   vrnn jsb-chorales-quarter.json vrnn.svg [EPOCHS]
//
// The bound on -log p of the pieces of the test, in nats per frame, stands beside an LSTM without latent variables and
// the frequency of each key. The picture has a chorale of the test and some that were made up.
#include "generative/vrnn.h"

#include "generative/chorale_program.h"

int main(int argc, char** argv) {
  generative::Vrnn model;
  return generative::chorale_main({.command = "vrnn", .name = "VRNN", .epochs = 70}, model, argc, argv);
}
