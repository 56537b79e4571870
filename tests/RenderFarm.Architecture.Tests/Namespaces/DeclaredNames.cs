using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests.Namespaces;

/// <summary>The namespaces and types that one project declares, and who names them.</summary>
internal sealed class DeclaredNames
{
    /// <summary>Every namespace with the types it declares; parents without types of their own are there too.</summary>
    private readonly Dictionary<string, HashSet<string>> _types = new(StringComparer.Ordinal);

    public DeclaredNames(IReadOnlyList<SourceFile> files)
    {
        foreach (var file in files.Where(file => file.Namespace.Length > 0))
        {
            for (var name = file.Namespace; name.Length > 0; name = ParentOf(name))
            {
                _types.TryAdd(name, new(StringComparer.Ordinal));
            }

            foreach (var member in file.Declarations)
            {
                _types[file.Namespace]
                    .Add(
                        member switch
                        {
                            BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
                            DelegateDeclarationSyntax type => type.Identifier.ValueText,
                            _ => throw new InvalidOperationException($"{file.Path} declares something else than types: {member.Kind()}"),
                        }
                    );
            }
        }
    }

    /// <summary>Namespaces of the project that a file uses, its own among them.</summary>
    public IEnumerable<(string Namespace, string Where)> UsedBy(SourceFile file)
    {
        foreach (var directive in file.Syntax.DescendantNodes().OfType<UsingDirectiveSyntax>())
        {
            if (directive.NamespaceOrType is NameSyntax name && Resolve(name.ToString().Split('.'), "") is { } used)
            {
                yield return (used, $"{file.Path}:{file.LineOf(directive)} using {name}");
            }
        }

        var values = ValuesOf(file);
        foreach (var name in file.Declarations.SelectMany(member => member.DescendantNodes()).OfType<SimpleNameSyntax>().Where(CanNameType))
        {
            var parts = PartsFrom(name);
            if (values.Contains(parts[0]) && !IsInTypePosition(name))
            {
                continue;
            }

            if (Resolve(parts, file.Namespace) is { } used)
            {
                yield return (used, $"{file.Path}:{file.LineOf(name)} {string.Join('.', parts)}");
            }
        }
    }

    /// <summary>Where the compiler would find the type that a name begins with, looking from a namespace outwards.</summary>
    private string? Resolve(IReadOnlyList<string> parts, string from)
    {
        for (var scope = from; ; scope = ParentOf(scope))
        {
            if (Within(scope, parts) is { } found)
            {
                return found;
            }

            if (scope.Length == 0)
            {
                return null;
            }
        }
    }

    private string? Within(string scope, IReadOnlyList<string> parts)
    {
        var at = scope;
        foreach (var part in parts)
        {
            if (_types.TryGetValue(at, out var types) && (types.Contains(part) || types.Contains(part + "Attribute")))
            {
                return at;
            }

            at = at.Length == 0 ? part : $"{at}.{part}";
            if (!_types.ContainsKey(at))
            {
                return null;
            }
        }

        return at == scope ? null : at; // a namespace itself, as in a using
    }

    private static string ParentOf(string name) => name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : "";

    /// <summary>A name that begins something: not behind a dot, no name of an argument, no called method.</summary>
    private static bool CanNameType(SimpleNameSyntax name) =>
        name.Parent switch
        {
            QualifiedNameSyntax qualified => qualified.Left == name,
            MemberAccessExpressionSyntax access => access.Expression == name,
            AliasQualifiedNameSyntax or MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax => false,
            InvocationExpressionSyntax call => call.Expression != name,
            AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax } assignment => assignment.Left != name,
            _ => true,
        };

    /// <summary>The name and what follows it behind dots.</summary>
    private static List<string> PartsFrom(SimpleNameSyntax name)
    {
        List<string> parts = [name.Identifier.ValueText];
        for (SyntaxNode at = name; ; at = at.Parent!)
        {
            switch (at.Parent)
            {
                case QualifiedNameSyntax qualified when qualified.Left == at:
                    parts.Add(qualified.Right.Identifier.ValueText);
                    break;
                case MemberAccessExpressionSyntax access
                    when access.Expression == at && access.IsKind(SyntaxKind.SimpleMemberAccessExpression):
                    parts.Add(access.Name.Identifier.ValueText);
                    break;
                default:
                    return parts;
            }
        }
    }

    private static bool IsInTypePosition(SimpleNameSyntax name)
    {
        SyntaxNode top = name;
        while (top.Parent is QualifiedNameSyntax or NullableTypeSyntax or ArrayTypeSyntax)
        {
            top = top.Parent;
        }

        return top.Parent switch
        {
            TypeArgumentListSyntax or BaseTypeSyntax or ObjectCreationExpressionSyntax or AttributeSyntax or CastExpressionSyntax => true,
            ParameterSyntax parameter => parameter.Type == top,
            VariableDeclarationSyntax variable => variable.Type == top,
            PropertyDeclarationSyntax property => property.Type == top,
            MethodDeclarationSyntax method => method.ReturnType == top,
            DeclarationPatternSyntax
            or RecursivePatternSyntax
            or TypeOfExpressionSyntax
            or TypeConstraintSyntax
            or DeclarationExpressionSyntax => true,
            _ => false,
        };
    }

    /// <summary>Members, parameters and variables that a file declares: where a value can stand, they go before types.</summary>
    private static HashSet<string> ValuesOf(SourceFile file) =>
        new(
            file.Syntax.DescendantNodes()
                .Select(node =>
                    node switch
                    {
                        PropertyDeclarationSyntax property => property.Identifier.ValueText,
                        ParameterSyntax parameter => parameter.Identifier.ValueText,
                        VariableDeclaratorSyntax variable => variable.Identifier.ValueText,
                        EnumMemberDeclarationSyntax member => member.Identifier.ValueText,
                        SingleVariableDesignationSyntax variable => variable.Identifier.ValueText,
                        MethodDeclarationSyntax method => method.Identifier.ValueText,
                        _ => "",
                    }
                ),
            StringComparer.Ordinal
        );
}
