using System.Globalization;
using RenderFarm.Inference.SelfTests;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>
/// Something that the engine asks of a processor and that a processor, with its libtorch, can get wrong. There are several ways to
/// do it; the first that is right on every trial is taken.
/// </summary>
/// <param name="name">Of the operation, in words.</param>
/// <param name="limit">‖way − exact‖ / ‖exact‖ of a trial; above it a way is wrong.</param>
/// <param name="ways">The quickest first.</param>
/// <param name="exact">The same in float64.</param>
/// <param name="trials">Shapes like those of the models; made in the dispose scope of the caller.</param>
internal sealed class Operation<TInput>(
    string name,
    double limit,
    IReadOnlyList<Way<TInput>> ways,
    Func<TInput, Tensor> exact,
    Func<TrialTensors, IEnumerable<Trial<TInput>>> trials
) : IOperation
{
    private Way<TInput>? _chosen;

    public Tensor Apply(TInput input) => Done(_chosen ?? Choose(ProcessorArithmetic.Verdict), input);

    public CaseFinding Judge()
    {
        using var scope = NewDisposeScope();
        using var numbers = new TrialTensors();
        var all = trials(numbers).Select(trial => (trial.Name, trial.Input, Exact: exact(trial.Input))).ToList();
        List<string> wrong = [];
        foreach (var way in ways)
        {
            var errors = all.Select(trial => (trial.Name, Error: ErrorOf(way, trial.Input, trial.Exact))).ToList();
            // Not a number is wrong too
            var off = errors.Count(one => !(one.Error <= limit));
            var worst = errors.MaxBy(one => double.IsNaN(one.Error) ? double.PositiveInfinity : one.Error);
            if (off == 0)
            {
                return new CaseFinding(name, Right: true, Right(way, wrong, errors.Count, worst.Error))
                {
                    Way = way.Name,
                    UsualWayIsOff = wrong.Count > 0,
                };
            }

            wrong.Add($"{way.Name} is off by {Figure(worst.Error)} ({off} of {errors.Count} trials; {worst.Name})");
        }
        return new CaseFinding(name, Right: false, $"{name} {string.Join(", ", wrong)}: no way is right") { UsualWayIsOff = true };
    }

    private string Right(Way<TInput> way, List<string> wrong, int count, double worst) =>
        wrong.Count == 0
            ? $"{name} is off by {Figure(worst)} at most in {count} trials"
            : $"{name} {string.Join(", ", wrong)}: it is done {way.Name}, off by {Figure(worst)} at most";

    private static string Figure(double error) => error.ToString("0.0e+0", CultureInfo.InvariantCulture);

    private Way<TInput> Choose(SelfTestRecord verdict)
    {
        var found = verdict.Of(name);
        var taken = ways.FirstOrDefault(way => way.Name == found.Way);
        return _chosen =
            taken
            ?? throw new ArithmeticFaultException(
                $"this processor can't be computed with: {found.Detail}. Use another, or another libtorch"
            );
    }

    private double ErrorOf(Way<TInput> way, TInput input, Tensor expected)
    {
        using var scope = NewDisposeScope();
        var actual = Done(way, input).to(ScalarType.Float64);
        return ((actual - expected).norm() / expected.norm()).item<double>();
    }

    private Tensor Done(Way<TInput> way, TInput input) => ForcedFault.Of(name, way.Name).Onto(way.Apply(input));
}

/// <summary>What is asked of all of them.</summary>
internal interface IOperation
{
    CaseFinding Judge();
}
