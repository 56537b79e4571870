namespace RenderFarm.Wan.Checkpoints;

/// <summary>Words that prompts are made of, for the tokenizer of a random model; everything else is spelt in letters and bytes.</summary>
internal static class RandomVocabulary
{
    public static IReadOnlyList<string> Words { get; } =
        """
            a an the of in on at to and with from by for over under near into through across behind above below between around
            is are was be as it its one two three many few some all slow slowly fast quickly gently softly large small tiny big
            red green blue yellow orange purple white black grey pink brown golden silver bright dark light warm cold soft
            ball cube box circle sphere square triangle ring star moon sun sky cloud clouds rain snow wind storm fire water sea
            ocean wave waves river lake mountain mountains hill forest tree trees leaf leaves flower flowers grass field desert
            road street city town house bridge tower window door room table chair car train boat ship plane bird birds cat dog
            horse fish child man woman boy girl person people face eye eyes hand hands hair dress hat shadow shadows mirror glass
            walks walking runs running rolls rolling moves moving falls falling rises rising turns turning flies flying swims
            swimming dances dancing jumps jumping sits sitting stands standing looks looking smiles opens opening closes drifts
            left right up down forward backward away toward camera view shot close wide aerial pan zoom still frame scene video
            film cinematic realistic detailed blurry static sharp quality low high best worst night day morning evening sunset
            sunrise summer winter spring autumn old new young ancient modern
            """.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
