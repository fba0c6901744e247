// storn.cpp: a stochastic recurrent network (Bayer and Osendorfer 2014) learns to write chorales. docs/generative.md
// says what it reaches.
//
//   storn jsb-chorales-quarter.json storn.svg [EPOCHS]
//
// The bound on -log p of the pieces of the test, in nats per frame, stands beside an LSTM without latent variables and
// the frequency of each key. The picture has a chorale of the test and some that were made up.
#include "generative/storn.h"

#include "generative/chorale_program.h"

int main(int argc, char** argv) {
  generative::Storn model;
  return generative::chorale_main({.command = "storn", .name = "STORN", .epochs = 80}, model, argc, argv);
}
