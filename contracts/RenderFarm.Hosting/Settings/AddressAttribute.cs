using System.ComponentModel.DataAnnotations;

namespace RenderFarm.Hosting.Settings;

/// <summary>The http address of a server. Nothing at all is allowed; <see cref="RequiredAttribute"/> forbids it.</summary>
/// <param name="example">A value that would do.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AddressAttribute(string example) : ValidationAttribute
{
    public string Example { get; } = example;

    public bool WithoutPath { get; init; }

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        var text = (string?)value ?? "";
        return
            text.Length == 0
            || (
                Uri.TryCreate(text, UriKind.Absolute, out var uri)
                && uri.Scheme is "http" or "https"
                && (!WithoutPath || uri.AbsolutePath == "/")
            )
            ? ValidationResult.Success
            : new ValidationResult(
                $"is '{text}': it must be an http address such as {Example}{(WithoutPath ? ", without a path" : "")}.",
                [validationContext.MemberName!]
            );
    }
}
