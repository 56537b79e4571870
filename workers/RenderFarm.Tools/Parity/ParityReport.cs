using System.Globalization;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>A line for each output: file, tensor, relative error ‖a−b‖/‖b‖ or what else there is to say, PASS or FAIL.</summary>
internal sealed class ParityReport(TextWriter output, double limit)
{
    private readonly double _limit = limit;
    private readonly HashSet<(string File, string Name)> _seen = [];
    private int _passed,
        _failed,
        _skipped;

    /// <summary>
    /// Integers must be equal. Of floats, NaN and infinities must be in the same places, and the error over the finite
    /// rest must be within the limit.
    /// </summary>
    /// <param name="limit">Null: that of the run.</param>
    public void Compare(string file, string name, Tensor expected, Tensor actual, double? limit = null)
    {
        using var scope = NewDisposeScope();
        if (!expected.shape.SequenceEqual(actual.shape))
        {
            Line(
                file,
                name,
                $"has shape [{string.Join(", ", actual.shape)}] instead of [{string.Join(", ", expected.shape)}]",
                pass: false
            );
            return;
        }
        if (!expected.is_floating_point())
        {
            var different = (expected.cpu() != actual.cpu()).sum().item<long>();
            Line(file, name, different == 0 ? "exact" : $"{different} of {expected.numel()} differ", different == 0);
            return;
        }

        var b = expected.cpu().to(ScalarType.Float64);
        var a = actual.cpu().to(ScalarType.Float64);
        var special = b.isfinite().logical_not();
        if (
            !a.isfinite().logical_not().equal(special).all().item<bool>()
            || !a.isnan().equal(b.isnan()).all().item<bool>()
            || !a.isposinf().equal(b.isposinf()).all().item<bool>()
        )
        {
            Line(file, name, "NaN or infinities are in other places", pass: false);
            return;
        }
        var difference = Norm((a - b).masked_fill(special, 0));
        var size = Norm(b.masked_fill(special, 0));
        var error = size == 0 ? difference : difference / size;
        Line(file, name, error.ToString("0.00e+00", CultureInfo.InvariantCulture), error <= (limit ?? _limit));
    }

    public void Line(string file, string name, string figure, bool pass)
    {
        _seen.Add((file, name));
        if (pass)
        {
            _passed++;
        }
        else
        {
            _failed++;
        }

        output.WriteLine($"{file,-28} {name,-22} {figure,-10} {(pass ? "PASS" : "FAIL")}");
    }

    /// <summary>Something that is not ours to check: said, and counted neither way.</summary>
    public void Skip(string file, string why)
    {
        _skipped++;
        output.WriteLine($"{file,-28} {why} SKIP");
    }

    public bool Has(string file, string name) => _seen.Contains((file, name));

    /// <returns>Whether something was checked and all of it passed.</returns>
    public bool Summarise()
    {
        output.WriteLine($"{_passed} passed, {_failed} failed{(_skipped > 0 ? $", {_skipped} skipped" : "")}");
        if (_passed + _failed == 0)
        {
            output.WriteLine("parity: there was nothing to check");
        }

        return _failed == 0 && _passed > 0;
    }

    private static double Norm(Tensor x) => x.square().sum().sqrt().item<double>();
}
