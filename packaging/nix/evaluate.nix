# Evaluates flake.nix and the module of home-manager, as packaging/try-recipes asks for it.
#
# Replaces the functions of nixpkgs that they use: nixpkgs itself is a download of hundreds of
# megabytes. So this finds mistakes in the language, in names and in what the module writes, and does
# not build anything.
let
  always = value: _: value;
  lib = {
    genAttrs = names: make: builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
    importTOML = path: builtins.fromTOML (builtins.readFile path);
    licenses = { mit = "mit"; asl20 = "asl20"; };
    platforms.linux = [ "x86_64-linux" "aarch64-linux" ];
    mapAttrs' = make: set:
      builtins.listToAttrs (map (name: make name set.${name}) (builtins.attrNames set));
    recursiveUpdate = one: other:
      one // builtins.mapAttrs (name: value:
        if builtins.isAttrs value && builtins.isAttrs (one.${name} or null) then lib.recursiveUpdate one.${name} value else value) other;
    optionalAttrs = wanted: set: if wanted then set else { };
    mkIf = wanted: value: if wanted then value else null;
    mkOption = option: option;
    mkEnableOption = description: { inherit description; default = false; };
    types = { package = "package"; attrsOf = type: { inherit type; }; };
  };
  pkgs = {
    rustPlatform.buildRustPackage = package: package;
    installShellFiles = "installShellFiles";
    formats.toml = always { type = "toml"; generate = name: contents: { inherit name contents; }; };
    stdenv.hostPlatform.system = "x86_64-linux";
  };
  nixpkgs = { inherit lib; legacyPackages = lib.genAttrs lib.platforms.linux (always pkgs); };

  flake = import ../../flake.nix;
  self = flake.outputs { inherit self nixpkgs; };
  package = self.packages.aarch64-linux.default;

  greeting = { extension.oci = "example.org/a/greeting:1.0.0"; capabilities.config-read = true; };
  module = programs: self.homeManagerModules.default { inherit lib pkgs; config = { inherit programs; }; };
  written = (module {
    sesame = {
      enable = true;
      package = "/store/sesame";
      settings.offline = true;
      extensions = { inherit greeting; };
      refresh = true;
    };
  }).config;
  files = written.xdg.configFile;
in
assert package.version == (lib.importTOML ../../Cargo.toml).workspace.package.version;
assert builtins.pathExists package.cargoLock.lockFile;
assert package.meta.mainProgram == "sesame";
assert (module { sesame.enable = false; }).config == null;
assert (module { sesame.enable = false; }).options.programs.sesame.package.default == self.packages.x86_64-linux.default;
assert files."pds/extensions/greeting.toml".source.contents == { extension = greeting.extension // { name = "greeting"; }; inherit (greeting) capabilities; };
assert files."pds/config.toml".source.contents == { offline = true; };
assert written.home.packages == [ "/store/sesame" ];
assert written.systemd.user.services.sesame-refresh.Service.ExecStart == "/store/sesame/bin/sesame update --all";
assert written.systemd.user.timers.sesame-refresh.Install.WantedBy == [ "timers.target" ];
builtins.deepSeq [ package.postInstall written ] "evaluated: ${package.pname} ${package.version}"
