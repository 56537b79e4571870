using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace RenderFarm.Hosting.Settings;

/// <summary>
/// A number within bounds; nothing, where nothing may be. (For <c>[Range]</c> the generated validators forget its message.)
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BetweenAttribute(double least, double most) : ValidationAttribute
{
    public double Least { get; } = least;

    public double Most { get; } = most;

    /// <summary>The number must be above <see cref="Least"/>, not as small.</summary>
    public bool Above { get; init; }

    /// <summary>What else can be done: <c>leave it out for one a slot</c>.</summary>
    public string? Or { get; init; }

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        if (value is null)
        {
            return ValidationResult.Success;
        }

        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        return number <= Most && (Above ? number > Least : number >= Least)
            ? ValidationResult.Success
            : new ValidationResult(
                string.Create(CultureInfo.InvariantCulture, $"is {value}: it must be {Bounds()}{(Or is null ? "" : $"; {Or}")}."),
                [validationContext.MemberName!]);
    }

    private string Bounds() => Above
        ? string.Create(CultureInfo.InvariantCulture, $"above {Least} and at most {Most}")
        : string.Create(CultureInfo.InvariantCulture, $"from {Least} to {Most}");
}
