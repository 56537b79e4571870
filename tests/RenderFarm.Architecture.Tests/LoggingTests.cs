using Microsoft.CodeAnalysis.CSharp.Syntax;
using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>Every line of a log comes from a method with <c>[LoggerMessage]</c> and a number of its own within the project.</summary>
public sealed class LoggingTests
{
    private static readonly string[] DirectCalls = ["LogTrace", "LogDebug", "LogInformation", "LogWarning", "LogError", "LogCritical"];

    private static IEnumerable<Project> Product =>
        Repository.Projects.Where(project => project.Area is "contracts" or "services" or "workers");

    [Fact]
    public void LogCalls_OfTheProduct_GoThroughLoggerMessages()
    {
        var findings = new Findings();
        foreach (var file in Product.SelectMany(project => project.Sources))
        {
            foreach (var call in file.Syntax.DescendantNodes().OfType<InvocationExpressionSyntax>())
            {
                if (
                    call.Expression is MemberAccessExpressionSyntax { Name.Identifier.ValueText: var name }
                    && DirectCalls.Contains(name, StringComparer.Ordinal)
                )
                {
                    findings.Add(file.Path, $"\n    line {file.LineOf(call)}: {name}");
                }
            }
        }

        findings.AssertNone("Give the line a method with [LoggerMessage] and an event id.");
    }

    [Fact]
    public void EventIds_OfOneProject_AreGivenAndUnique()
    {
        var findings = new Findings();
        foreach (var project in Product)
        {
            var numbers = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var file in project.Sources)
            {
                foreach (var attribute in file.Syntax.DescendantNodes().OfType<AttributeSyntax>().Where(IsLoggerMessage))
                {
                    var place = $"{file.Path}:{file.LineOf(attribute)}";
                    if (EventId(attribute) is not { } number)
                    {
                        findings.Add(file.Path, $"\n    {place} has no event id");
                    }
                    else if (!numbers.TryAdd(number, place))
                    {
                        findings.Add(file.Path, $"\n    {place} has event id {number}, as {numbers[number]}");
                    }
                }
            }
        }

        findings.AssertNone("Event ids are given by hand and unique within a project.");
    }

    private static bool IsLoggerMessage(AttributeSyntax attribute) =>
        attribute.Name.ToString() is "LoggerMessage" or "LoggerMessageAttribute";

    /// <summary>The number as it is written; a name of a constant stands for itself.</summary>
    private static string? EventId(AttributeSyntax attribute)
    {
        var arguments = attribute.ArgumentList?.Arguments ?? default;
        return arguments.FirstOrDefault(argument => argument.NameEquals?.Name.Identifier.ValueText == "EventId")?.Expression.ToString()
            ?? arguments.FirstOrDefault(argument => argument.NameColon?.Name.Identifier.ValueText == "eventId")?.Expression.ToString()
            ?? (
                arguments.FirstOrDefault()?.Expression is LiteralExpressionSyntax { Token.Value: int number }
                    ? number.ToString(System.Globalization.CultureInfo.InvariantCulture)
                    : null
            );
    }
}
