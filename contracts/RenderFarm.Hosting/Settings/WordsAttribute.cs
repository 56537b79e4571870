using System.ComponentModel.DataAnnotations;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Hosting.Settings;

/// <summary>One of a few words.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WordsAttribute(params string[] words) : ValidationAttribute
{
    public IReadOnlyList<string> Words { get; } = words;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        Words.Contains(value)
            ? ValidationResult.Success
            : new ValidationResult($"is '{value}', {Word.NotOneOf((string?)value, Words)}.", [validationContext.MemberName!]);
}
