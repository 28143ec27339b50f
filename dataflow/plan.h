// Plan: a graph as a plain value. A node is a spec (a plain struct: dataflow/operators/*.h) and the
// numbers of earlier nodes that it reads. A Graph installs a plan, sharing every node that it
// already has.
//
//   Plan plan;                                              // SELECT title FROM issue WHERE open
//   NodeNumber issue = plan.Add(Input{.relation = {type, {title, open}}, .kinds = {kText, kBool}});
//   NodeNumber open = plan.Add(Filter{.predicate = ColumnOf(1)}, {issue});
//   NodeNumber title = plan.Add(Project{.columns = {0}}, {open});
//   Result<Installed> query = graph.Install(plan, {title});
//
// A spec is any copyable struct with two functions:
//   std::string Describe() const;     canonical: equal text over equal inputs = the same operator
//   Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;    checks kinds and arity
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataflow/operator.h"

namespace trefoil::dataflow {

// What a spec needs to make its operator.
class BuildContext {
 public:
  virtual ~BuildContext() = default;

  // The operators of the inputs, in the order in which the plan names them.
  virtual const std::vector<Operator*>& inputs() const = 0;
  virtual const Source& source() const = 0;
  virtual const FunctionRegistry& functions() const = 0;
  // The graph is read and never steps.
  virtual bool is_once() const = 0;

  // A port for `ask` on `node`: the node's own offer, or a shared arrangement of it. The node is
  // one of inputs().
  // Errors: kUnsupported when neither is possible.
  virtual Result<Port> Serve(Operator& node, const Ask& ask) = 0;
  // Steps the new operator whenever rows of this type change; for operators without inputs.
  virtual void WakeOn(const BaseRelation& relation) = 0;
};

// A spec of any kind, held by value.
class Spec {
 public:
  template <typename T>
    requires(!std::same_as<T, Spec>)
  explicit Spec(T spec) : model_(std::make_shared<const Model<T>>(std::move(spec))) {}

  std::string Describe() const { return model_->Describe(); }
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const {
    return model_->Make(context);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string Describe() const = 0;
    virtual Result<std::unique_ptr<Operator>> Make(BuildContext& context) const = 0;
  };
  template <typename T>
  struct Model final : Interface {
    explicit Model(T spec_in) : spec(std::move(spec_in)) {}
    std::string Describe() const override { return spec.Describe(); }
    Result<std::unique_ptr<Operator>> Make(BuildContext& context) const override {
      return spec.Make(context);
    }
    T spec;
  };

  std::shared_ptr<const Interface> model_;
};

// Position of a node in a plan.
using NodeNumber = std::uint32_t;

struct Plan {
  struct Node {
    Spec spec;
    std::vector<NodeNumber> inputs;  // each smaller than the number of this node
  };
  std::vector<Node> nodes;

  template <typename T>
  NodeNumber Add(T spec, std::vector<NodeNumber> inputs = {}) {
    nodes.push_back({Spec(std::move(spec)), std::move(inputs)});
    return static_cast<NodeNumber>(nodes.size() - 1);
  }
};

}  // namespace trefoil::dataflow
