#include "models/gradient_flow.h"

#include <memory>

#include "base/fail.h"
#include "layers/attention/sequence_to_sequence.h"
#include "layers/mixture.h"
#include "layers/module.h"
#include "models/watched_recurrent.h"

namespace carousel {
namespace {

// A layer that stands in for another one and leaves its parameters alone.
class BorrowedLayer final : public Module {
 public:
  explicit BorrowedLayer(Module& inner) : inner_(inner) {}
  LayerDescription describe() const override { return inner_.describe(); }
  void forward(detail::Flow& flow) override { inner_.forward(flow); }

 private:
  Module& inner_;
};

// A SequenceToSequence whose encoder is watched; borrows the rest.
class WatchedEncoder final : public Module {
 public:
  WatchedEncoder(SequenceToSequence& inner, Sequential encoder) : inner_(inner), encoder_(std::move(encoder)) {}
  LayerDescription describe() const override { return inner_.describe(); }
  void forward(detail::Flow& flow) override { inner_.run(flow, encoder_); }

 private:
  SequenceToSequence& inner_;
  Sequential encoder_;
};

// The network with a WatchedRecurrent in the place of each Recurrent that reads the input; borrows the layers of the
// original.
Sequential watch(Sequential& network, const std::string& prefix, std::vector<WatchedRecurrent*>& watched) {
  Sequential copy;
  for (const auto& [name, module] : network.modules()) {
    if (auto* recurrent = dynamic_cast<Recurrent*>(module.get())) {
      auto layer = std::make_unique<WatchedRecurrent>(*recurrent, prefix + name);
      watched.push_back(layer.get());
      copy.add(name, std::move(layer));
    } else if (std::vector<Sequential>* all = detail::branches_of(*module)) {
      std::vector<Sequential> branches;
      for (std::size_t k = 0; k < all->size(); ++k) {
        branches.push_back(watch((*all)[k], fmt::format("{}{}.{}.", prefix, name, k), watched));
      }
      if (dynamic_cast<Sum*>(module.get())) {
        copy.add(name, std::make_unique<Sum>(std::move(branches)));
      } else {
        Sequential gate = std::move(branches.front());
        branches.erase(branches.begin());
        copy.add(name, std::make_unique<Mixture>(std::move(gate), std::move(branches)));
      }
    } else if (auto* both = dynamic_cast<SequenceToSequence*>(module.get())) {
      copy.add(name,
               std::make_unique<WatchedEncoder>(*both, watch(both->encoder(), prefix + name + ".encoder.", watched)));
    } else if (auto* inner = dynamic_cast<Sequential*>(module.get())) {
      copy.add(name, std::make_unique<Sequential>(watch(*inner, prefix + name + ".", watched)));
    } else {
      copy.add(name, std::make_unique<BorrowedLayer>(*module));
    }
  }
  return copy;
}

}  // namespace

GradientFlow gradient_flow(Sequential& network, const WatchedLoss& loss) {
  std::vector<WatchedRecurrent*> watched;
  Sequential copy = watch(network, "", watched);
  if (watched.empty()) fail(Code::kUsage, "the network has no recurrent layer: no gradient runs through time");
  Tape<float> tape;
  SequenceLayout layout;
  const Variable value = loss(copy, tape, layout);
  tape.backward(value);
  GradientFlow flow;
  flow.loss = value.item();
  for (const WatchedRecurrent* layer : watched) {
    for (ScanGradient& scan : layer->gradients()) flow.scans.push_back(std::move(scan));
  }
  return flow;
}

}  // namespace carousel
